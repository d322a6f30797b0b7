"""People who must agree before something goes on."""
