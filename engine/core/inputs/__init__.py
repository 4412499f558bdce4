"""The kinds of input that a core takes, a file each; `core/input_list.py` lists them."""
