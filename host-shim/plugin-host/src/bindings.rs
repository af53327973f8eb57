//! The contract as Rust types: generated from the `*.wit` files, written by nobody.
#![allow(missing_docs, unused, clippy::all, clippy::pedantic, unreachable_pub)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "plugin",
    imports: { default: async },
    exports: { default: async },
    additional_derives: [serde::Serialize, serde::Deserialize, PartialEq],
});
