"""Taking down what a deleted resource stands for."""
