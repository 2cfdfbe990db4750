"""The commands: one module each, of the command's name, imported when the command is asked for."""
