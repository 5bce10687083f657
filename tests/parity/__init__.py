"""Paddle parity: what paddlepaddle 3.3.1 gives in dynamic-graph mode on the CPU, as plain numbers.

With an alias that makes `import dualgraph` give Paddle, these tests pass there too, except those
marked `ours`, whose mark says why dualgraph differs.
"""
