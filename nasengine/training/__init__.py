"""Fitting one model to one task: data, recipes, optimizers and the training loop; knows nothing of spaces."""
