"""The compiler of dualgraph: a graph of array operations in, a native callable out.

An empty room for now. It will hold a typed graph of array primitives with its printer, parser,
verifier and interpreter; passes that simplify it; a schedule that fuses, orders and plans memory;
and code generation through LLVM into kernels that are kept in memory and on disk.

It knows arrays, not tensors: no tape, no layers, no branches. It never imports `dualgraph`, so that
it can be read, tested and used alone; `dualgraph.jit` hands it a graph and gets a callable back.
"""

__all__: list[str] = []

# In the order of data flow: a room imports only from those before it.
__rooms__: tuple[str, ...] = ()
