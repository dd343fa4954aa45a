"""Evaluators: a job in, a result out."""
