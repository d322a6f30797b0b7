"""The commands, each module loaded when one of its commands is used."""
