//! Prints the JSON Schema of descriptions: `cargo run -p contract --example schema > docs/edw.schema.json`.

#![expect(clippy::print_stdout, reason = "the schema is its output")]

fn main() {
    print!("{}", contract::workload::Description::schema());
}
