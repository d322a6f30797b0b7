//go:build tools

// Package temporal names the programs of Temporal that are built from this module.
package temporal

import (
	_ "go.temporal.io/server/cmd/server"
	_ "go.temporal.io/server/cmd/tools/sql"
)
