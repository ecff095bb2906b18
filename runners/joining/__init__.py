"""Output folders of several commands, made one."""
