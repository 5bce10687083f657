"""The peers: a module for each library, with the `LIBRARY` and `load(threads)`, its workloads."""
