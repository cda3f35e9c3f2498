//! The binary of [`windi_functions::typing`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::typing::main()
}
