# Copyright: (c) 2026, scp.dataops contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console: a web application in the cluster that drives the same engine as the modules.

It runs on the stock Airflow image, which has everything that is imported here; the code itself comes as an archive.
"""
