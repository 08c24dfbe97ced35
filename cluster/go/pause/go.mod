// SPDX-License-Identifier: GPL-3.0-or-later
// Copyright: (c) 2026, scp.dataops contributors

module scp.dataops/cluster/pause

go 1.26.0
