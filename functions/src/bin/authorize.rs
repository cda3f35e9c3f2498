//! The binary of [`windi_functions::authorize`].

fn main() -> windi_functions::door::Outcome {
    windi_functions::authorize::main()
}
