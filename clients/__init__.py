"""One module per outside system: talks to it and raises the domain's errors.

Clients decide no policy, know no workflow and do not know each other. Each one is made once a
process, shared by all its callers and closed by whoever made it.
"""
