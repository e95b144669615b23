//! The adapters to Azure Queue and Table Storage.
