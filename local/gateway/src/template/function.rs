//! The functions of a template.

/// The name functions are invoked by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum NamedBy {
    /// The binary of `BuildMethod: rust-cargolambda`, by which `cargo lambda watch` knows them; the logical id if there is none
    #[default]
    Binary,
    /// The logical id in the template, by which `sam local start-lambda` knows them
    LogicalId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// As chosen by [`NamedBy`].
    pub name: String,
    /// Its line in the template, from 1.
    pub line: usize,
}
