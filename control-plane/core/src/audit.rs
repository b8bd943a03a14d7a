//! A command and its outcome as a ledger record.
