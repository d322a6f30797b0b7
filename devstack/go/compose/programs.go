//go:build tools

// Package compose names the program of Docker Compose that is built from this module.
package compose

import (
	_ "github.com/docker/compose/v2/cmd"
)
