"""The tables of `neonup_emulator.neon.metering.consumption`, in the store's file."""

from __future__ import annotations

TABLES = (
    "CREATE TABLE IF NOT EXISTS Consumption (branch_id TEXT NOT NULL, at INTEGER NOT NULL, "
    "project_id TEXT NOT NULL, active REAL NOT NULL, compute REAL NOT NULL, cpu REAL NOT NULL, "
    "written INTEGER NOT NULL, sent INTEGER NOT NULL, size INTEGER, "
    "PRIMARY KEY (branch_id, at)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS Consumption_project ON Consumption (project_id, at)",
    "CREATE TABLE IF NOT EXISTS ConsumptionMonth (branch_id TEXT NOT NULL, month INTEGER NOT NULL, "
    "project_id TEXT NOT NULL, active REAL NOT NULL, compute REAL NOT NULL, cpu REAL NOT NULL, "
    "written INTEGER NOT NULL, sent INTEGER NOT NULL, PRIMARY KEY (branch_id, month)) "
    "WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS ConsumptionMonth_project ON ConsumptionMonth (project_id, month)",
    "CREATE TABLE IF NOT EXISTS BranchSize "
    "(branch_id TEXT PRIMARY KEY, project_id TEXT NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS BranchSize_project ON BranchSize (project_id)",
    "CREATE TABLE IF NOT EXISTS WrittenLog "
    "(cluster_id TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID",
)
