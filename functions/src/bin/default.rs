//! The binary of [`windi_functions::default`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::default::main()
}
