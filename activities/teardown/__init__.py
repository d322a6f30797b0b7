"""Effects of taking down what a deleted resource stands for."""
