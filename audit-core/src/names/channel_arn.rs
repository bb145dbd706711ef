use std::borrow::Cow;

use super::account_id::AccountId;
use super::error::{NameError, textual};
use crate::limits::CHANNEL_ARN_CHARS;

const RULE: &str = "arn:<partition>:cloudtrail:<region>:<12 digits>:channel/<id>, at most 256 characters";

/// Where events go: the ARN of a CloudTrail Lake channel,
/// `arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE`.
///
/// The service also takes a bare channel ID (the part after `channel/`). This type does not: the ARN says whose account
/// and which region it is, and the account must stand in every event.
///
/// ```
/// use audit_core::ChannelArn;
///
/// const CHANNEL: ChannelArn =
///     ChannelArn::from_static("arn:aws:cloudtrail:eu-west-1:123456789012:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE");
/// assert_eq!(CHANNEL.account().as_str(), "123456789012");
/// assert_eq!(CHANNEL.region(), "eu-west-1");
/// assert_eq!(CHANNEL.channel_id(), "EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelArn(Cow<'static, str>);

impl ChannelArn {
    /// Takes a literal. In a constant, a wrong one does not compile.
    ///
    /// # Panics
    /// Outside of a constant, if the text is not a channel's ARN.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        assert!(
            is_channel_arn(text),
            "a channel's ARN must be arn:<partition>:cloudtrail:<region>:<12 digits>:channel/<id>"
        );
        Self(Cow::Borrowed(text))
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part between two colons; the type's rule says that it is there.
    fn part(&self, number: usize) -> &str {
        self.0.splitn(6, ':').nth(number).unwrap_or_default()
    }

    /// The partition: `aws`, `aws-cn`, `aws-us-gov`.
    #[must_use]
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The region that the channel is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account that owns the channel: the `recipientAccountId` of every event that goes there.
    #[must_use]
    pub fn account(&self) -> AccountId {
        // The type's rule says that it is an account; the zeros are never seen.
        AccountId::from_text(self.part(4)).unwrap_or(const { AccountId::from_static("000000000000") })
    }

    /// The channel's ID: what stands after `channel/`.
    #[must_use]
    pub fn channel_id(&self) -> &str {
        self.part(5).strip_prefix("channel/").unwrap_or_default()
    }
}

/// Walks the parts one by one, since constants cannot use `str::split`.
const fn is_channel_arn(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() > CHANNEL_ARN_CHARS {
        return false;
    }
    let (at, fits) = literal(bytes, 0, b"arn:");
    let (at, partition) = run(bytes, at, Alphabet::Lowercase);
    let (at, service) = literal(bytes, at, b":cloudtrail:");
    let (at, region) = run(bytes, at, Alphabet::Lowercase);
    let (account, colon) = literal(bytes, at, b":");
    let (at, digits) = run(bytes, account, Alphabet::Digits);
    let twelve = digits && at - account == 12;
    let (at, channel) = literal(bytes, at, b":channel/");
    let (at, id) = run(bytes, at, Alphabet::Id);
    fits && partition && service && region && colon && twelve && channel && id && at == bytes.len()
}

#[derive(Clone, Copy)]
enum Alphabet {
    Lowercase,
    Digits,
    Id,
}

const fn literal(bytes: &[u8], start: usize, expected: &[u8]) -> (usize, bool) {
    let mut at = 0;
    while at < expected.len() {
        if start + at >= bytes.len() || bytes[start + at] != expected[at] {
            return (start, false);
        }
        at += 1;
    }
    (start + at, true)
}

const fn run(bytes: &[u8], start: usize, alphabet: Alphabet) -> (usize, bool) {
    let mut at = start;
    while at < bytes.len() {
        let byte = bytes[at];
        let fits = match alphabet {
            Alphabet::Lowercase => byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-',
            Alphabet::Digits => byte.is_ascii_digit(),
            Alphabet::Id => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
        };
        if !fits {
            break;
        }
        at += 1;
    }
    (at, at > start)
}

impl TryFrom<&str> for ChannelArn {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        if is_channel_arn(text) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(NameError::new("a channel's ARN", RULE, text))
        }
    }
}

textual!(ChannelArn);

#[cfg(test)]
mod tests {
    use super::ChannelArn;

    #[test]
    fn every_part_of_an_arn_must_be_there_and_be_itself() {
        let good = "arn:aws:cloudtrail:eu-west-1:123456789012:channel/a-1_b.2";
        assert!(ChannelArn::try_from(good).is_ok());
        assert!(ChannelArn::try_from("arn:aws-us-gov:cloudtrail:us-gov-west-1:123456789012:channel/x").is_ok());
        for (part, wrong) in [
            ("arn:", "urn:"),
            ("aws", ""),
            ("aws", "AWS"),
            ("cloudtrail", "s3"),
            ("eu-west-1", ""),
            ("123456789012", "12345678901"),
            ("123456789012", "1234567890123"),
            ("123456789012", "12345678901x"),
            ("channel/", "trail/"),
            ("a-1_b.2", ""),
            ("a-1_b.2", "a b"),
            ("a-1_b.2", "a/b"),
            ("a-1_b.2", "a\n"),
            ("a-1_b.2", "ä"),
        ] {
            let text = good.replacen(part, wrong, 1);
            let error = ChannelArn::try_from(text.as_str()).expect_err(&text);
            assert!(error.to_string().contains("channel/<id>"), "{error}");
        }
        for end in 0..good.len() - "-1_b.2".len() - 1 {
            assert!(ChannelArn::try_from(&good[..end]).is_err(), "{}", &good[..end]);
        }
    }

    #[test]
    fn an_arn_has_at_most_256_characters() {
        let arn = |id: usize| format!("arn:aws:cloudtrail:eu-west-1:123456789012:channel/{}", "x".repeat(id));
        let fixed = arn(0).len();
        assert!(ChannelArn::try_from(arn(256 - fixed)).is_ok());
        assert!(ChannelArn::try_from(arn(257 - fixed)).is_err());
    }
}
