"""The programs that train a whole grid, one file a library.

Each module has one function, ``run(inputs, cells, epochs, **options)``. `inputs` is a file of
`benchmarks.grid_inputs`, a cell is a learning rate, a strength of L2 and a seed. It returns the
accuracies of each cell and the seconds that all cells took, so that what is left of the process is
its start: imports, reading, building what is built once.
"""
