//! PM2's formats: application declarations, process lists, dumps.
