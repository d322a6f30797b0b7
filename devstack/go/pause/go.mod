module pavane.dev/devstack/pause

go 1.24.0
