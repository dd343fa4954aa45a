"""Kernels in C++, compiled where a compiler is found and never needed."""
