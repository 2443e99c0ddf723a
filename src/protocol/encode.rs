pub fn message(message: &crate::model::message::Message) -> bytes::Bytes {
    todo!()
}
