// SPDX-License-Identifier: GPL-3.0-or-later
// Copyright: (c) 2026, scp.dataops contributors

// The upstream registry with the one storage driver that this cluster needs.
package main

import (
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}
