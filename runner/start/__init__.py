"""A working folder of one's own: six answers, what can be seen from outside, and the files made from both."""
