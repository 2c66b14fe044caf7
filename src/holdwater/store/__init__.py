"""The local copy of the CRM: one SQLite file, written by the sync and read by everything else."""
