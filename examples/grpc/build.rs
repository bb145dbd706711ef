//! Generates the service, as `tonic-prost-build` does out of a `.proto` file. Without one, the example needs no `protoc`.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, route: &str, input: &str, output: &str| {
        Method::builder()
            .name(name)
            .route_name(route)
            .input_type(input)
            .output_type(output)
            .codec_path("tonic_prost::ProstCodec")
    };
    let transfer = method("transfer", "Transfer", "crate::TransferRequest", "crate::TransferReply").build();
    let statement = method("statement", "Statement", "crate::StatementRequest", "crate::Posting").server_streaming();
    let bank = Service::builder().name("Bank").package("bank").method(transfer).method(statement.build()).build();
    Builder::new().compile(&[bank]);
}
