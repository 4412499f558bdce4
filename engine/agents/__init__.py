"""What is researched in the background: one file per task, `task_list.py` the list."""
