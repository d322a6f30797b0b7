//go:build tools

// Package argo names the programs of Argo Workflows that are built from this module.
package argo

import (
	_ "github.com/argoproj/argo-workflows/v3/cmd/argoexec"
	_ "github.com/argoproj/argo-workflows/v3/cmd/workflow-controller"
)
