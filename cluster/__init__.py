# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors
"""The embedded single-node Kubernetes for demo, tests and development. Run it as ``python3 -m cluster``."""
