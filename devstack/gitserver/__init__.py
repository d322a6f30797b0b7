"""A small Git server for demonstrations and tests: smart HTTP and signed push webhooks.

Git itself does the work; this program lends it HTTP, makes a repository on the first push, and
tells the platform about pushed branches the way Gitea does, until the platform has heard of them.
"""
