"""Speed of dualgraph beside numpy by hand, PyTorch and Paddle: `python -m benchmarks`."""
