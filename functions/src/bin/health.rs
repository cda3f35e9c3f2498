//! The binary of [`windi_functions::health`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::health::main()
}
