// The derives on every shape of type, for any crate and any scope: `$lib` is the path to the library, `$krate` what has to
// be added to the attributes so that the generated code finds it. Nothing here is found through a prelude.
macro_rules! suite {
    ({ $($lib:tt)* } { $($krate:tt)* }) => {
        /// Somebody.
        #[derive($($lib)*::UserIdentity)]
        #[audit(type = "Staff" $($krate)*)]
        pub(crate) struct Staff<'a, T: ?::core::marker::Sized> {
            /// Who.
            #[audit(principal_id)]
            pub email: &'a str,
            /// What else.
            pub team: &'a T,
            #[audit(redact)]
            _secret: u8,
            #[audit(rename = "level", skip_if = is_zero)]
            grade: u8,
            #[audit(skip)]
            _unseen: ::core::marker::PhantomData<fn(T2)>,
        }

        /// By whom, in a tuple.
        #[derive($($lib)*::UserIdentity)]
        #[audit(type = ROBOT $($krate)*)]
        pub(crate) struct Robot(#[audit(principal_id)] pub u32, #[audit(rename = "owner")] pub ::core::option::Option<char>);

        const ROBOT: &::core::primitive::str = "Robot";
        pub(crate) struct T2;

        const fn is_zero(value: &u8) -> bool {
            *value == 0
        }

        fn doubled(value: &u32) -> u32 {
            *value * 2
        }

        fn as_text<T: ::core::fmt::Display + ?::core::marker::Sized>(value: &T) -> ::std::string::String {
            ::std::string::ToString::to_string(value)
        }

        const fn as_slice<const N: usize>(value: &[u8; N]) -> &[u8] {
            value
        }

        const VERSION: &::core::primitive::str = "2.1";
        const NOTE: &::core::primitive::str = "the note";

        /// What was refused, and why.
        #[derive(::core::fmt::Debug, $($lib)*::AuditError)]
        #[audit(code = "CardExpired" $($krate)*)]
        pub(crate) struct Refused;

        impl ::core::fmt::Display for Refused {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str("the card has expired")
            }
        }

        /// Why it failed.
        #[derive(::core::fmt::Debug, $($lib)*::AuditError)]
        #[audit(bound = "T: ::core::fmt::Debug" $($krate)*)]
        pub(crate) enum Failed<T> {
            /// By its name.
            Timeout,
            /// By a constant.
            #[audit(code = NOTE)]
            Other(T),
        }

        impl<T: ::core::fmt::Debug> ::core::fmt::Display for Failed<T> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(self, f)
            }
        }

        /// Any of them.
        #[derive($($lib)*::UserIdentity)]
        #[audit(type = ROBOT $($krate)*)]
        pub(crate) enum Anyone<'a, T> {
            /// A person.
            #[audit(type = "Staff")]
            Staff {
                #[audit(principal_id, hmac)]
                email: &'a ::core::primitive::str,
                #[audit(hmac, rename = NOTE)]
                phone: T,
                #[audit(redact)]
                secret: u8,
            },
            /// A thing.
            Robot(#[audit(principal_id)] u8, #[audit(skip)] T2),
        }

        /// What is inside.
        #[derive($($lib)*::AuditValue)]
        #[audit(rename_all = "kebab-case" $($krate)*)]
        pub(crate) struct Inside<'a, T> {
            by_name: T,
            #[audit(hmac)]
            iban: &'a ::core::primitive::str,
            #[audit(redact, rename = NOTE)]
            holder: T2,
            #[audit(skip_if = is_zero)]
            zero: u8,
            #[audit(nested)]
            kinds: [Kind; 2],
        }

        /// Of which kind.
        #[derive(::core::clone::Clone, ::core::marker::Copy, $($lib)*::AuditValue)]
        #[audit(rename_all = "UPPERCASE" $($krate)*)]
        pub(crate) enum Kind {
            /// Nothing.
            Bare,
            /// Something.
            #[audit(name = NOTE)]
            With {
                #[audit(with = doubled)]
                twice: u32,
                #[audit(skip)]
                skipped: u8,
            },
        }

        /// With a value inside.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "orders.example.com", generate_id $($krate)*)]
        #[doc = ::core::concat!("By ", "a macro.")]
        pub(crate) struct Holds<'a> {
            #[audit(user_identity)]
            by: Anyone<'a, u8>,
            #[audit(nested)]
            inside: Inside<'a, u8>,
            #[audit(outcome)]
            outcome: ::core::result::Result<(), Failed<u8>>,
        }

        /// Every role and every way.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "orders.example.com", version = VERSION $($krate)*)]
        pub(crate) struct Everything<'a, T, I, const N: usize>
        where
            I: ::core::iter::Iterator,
        {
            /// Written last, and yet in its place.
            #[audit(additional, rename = NOTE)]
            pub note: ::core::option::Option<&'a ::core::primitive::str>,
            #[audit(id)]
            id: u64,
            #[audit(user_identity)]
            by: &'a dyn $($lib)*::UserIdentity,
            #[audit(time)]
            at: ::std::time::SystemTime,
            #[audit(user_agent, with = as_text)]
            agent: u8,
            #[audit(source_ip)]
            from: ::core::option::Option<::std::net::Ipv4Addr>,
            r#type: T,
            item: ::core::option::Option<I::Item>,
            qualified: ::core::option::Option<<I as ::core::iter::Iterator>::Item>,
            #[audit(request, with = as_slice)]
            numbers: [u8; N],
            #[audit(skip_if = ::core::option::Option::is_none)]
            data: ::core::option::Option<u8>,
            #[audit(with = doubled, rename = "twice")]
            __d: u32,
            #[audit(redact)]
            _password: T2,
            #[audit(hmac)]
            iban: &'a ::core::primitive::str,
            #[audit(flatten)]
            more: ::std::collections::BTreeMap<&'static ::core::primitive::str, u8>,
            #[audit(skip)]
            _iterator: ::core::marker::PhantomData<I>,
            #[cfg(any())]
            #[audit(nonsense)]
            never: Missing,
            #[cfg(all())]
            #[cfg_attr(all(), audit(response))]
            always: bool,
            #[audit(outcome)]
            outcome: ::core::result::Result<(), Refused>,
        }

        /// Each variant a type of its own.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "orders.example.com", generate_id $($krate)*)]
        pub(crate) enum Order {
            /// Nothing to say.
            Opened,
            /// A tuple.
            #[audit(name = "OrderShipped", version = "3")]
            Shipped(#[audit(id)] u32, #[audit(rename = "to")] &'static ::core::primitive::str),
            /// Fields.
            #[audit(source = "billing.example.com")]
            Paid {
                /// The number.
                #[audit(id)]
                id: u32,
                /// In cents.
                amount: i128,
                /// Never looked at.
                #[audit(redact)]
                card: u64,
                /// Also a redacted one.
                #[audit(redact, skip_if = is_zero)]
                pin: u8,
            },
            #[cfg(any())]
            Never(Missing),
        }

        /// Nothing but that it happened.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "a.example.com", generate_id $($krate)*)]
        pub(crate) struct Unit;

        /// A newtype.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "a.example.com", name = concat!("New", "type") $($krate)*)]
        pub(crate) struct Newtype<T>(#[audit(id)] pub T);

        /// Nobody has one.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "a.example.com" $($krate)*)]
        pub(crate) enum Nothing {}

        /// Without padding.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "a.example.com" $($krate)*)]
        #[repr(C, packed)]
        pub(crate) struct Packed {
            #[audit(id)]
            id: u64,
            small: u8,
            #[audit(skip_if = is_zero)]
            other: u8,
        }

        /// The bounds as the author says.
        #[derive($($lib)*::AuditEvent)]
        #[audit(source = "a.example.com", bound = "T: ::core::fmt::Display" $($krate)*)]
        pub(crate) struct Bound<T> {
            #[audit(id)]
            id: T,
            #[audit(with = as_text)]
            text: T,
        }

        fn context() -> $($lib)*::Context {
            $($lib)*::Context::new($($lib)*::AccountId::from_static("123456789012"))
                .identity(&Robot(7, ::core::option::Option::None))
                .hmac_key("2026a", b"key")
                .time(::std::time::SystemTime::UNIX_EPOCH)
        }

        fn json(event: &dyn $($lib)*::AuditEvent) -> ::std::string::String {
            let entry = event.to_entry(&context()).unwrap();
            ::std::string::ToString::to_string(entry.event_data())
        }

        fn ends(event: &dyn $($lib)*::AuditEvent, end: &::core::primitive::str) {
            let json = json(event);
            ::std::assert!(json.ends_with(end), "{json}\n{end}");
        }

        fn names_actor<T: $($lib)*::NamesActor + ?::core::marker::Sized>(_: &T) {}

        #[::core::prelude::v1::test]
        fn every_role_and_every_way_stands_in_its_place() {
            let by = Staff {
                email: "alice@example.com",
                team: "support",
                _secret: 1,
                grade: 0,
                _unseen: ::core::marker::PhantomData,
            };
            let event = Everything::<_, ::core::iter::Empty<u8>, 2> {
                note: ::core::option::Option::Some("n"),
                id: 1,
                by: &by,
                at: ::std::time::SystemTime::UNIX_EPOCH,
                agent: 9,
                from: ::core::option::Option::None,
                r#type: "t",
                item: ::core::option::Option::Some(3),
                qualified: ::core::option::Option::None,
                numbers: [4, 5],
                data: ::core::option::Option::None,
                __d: 21,
                _password: T2,
                iban: "DE00",
                more: ::core::convert::From::from([("x", 6)]),
                _iterator: ::core::marker::PhantomData,
                always: true,
                outcome: ::core::result::Result::Err(Refused),
            };
            names_actor(&event);
            // The HMAC is what `printf %s DE00 | openssl dgst -sha256 -hmac key` prints.
            ::std::assert_eq!(json(&event), ::std::concat!(
                r#"{"version":"2.1","eventSource":"orders.example.com","eventName":"Everything","recipientAccountId":"123456789012","#,
                r#""UID":"1","eventTime":"1970-01-01T00:00:00Z","userIdentity":{"type":"Staff","principalId":"alice@example.com","#,
                r#""details":{"team":"support","secret":"[REDACTED]"}},"userAgent":"9","requestParameters":{"type":"t","item":3,"#,
                r#""numbers":[4,5],"twice":42,"password":"[REDACTED]","#,
                r#""iban":"hmac-sha256:2026a:5a3ac46b6813ca805e07d80bf67173db4188adc8058a5095570df43d24d17d65","x":6},"#,
                r#""responseElements":{"always":true},"errorCode":"CardExpired","errorMessage":"the card has expired","#,
                r#""additionalEventData":{"the note":"n"}}"#
            ));
            ::std::assert_eq!(
                <Everything<'_, u8, ::core::iter::Empty<u8>, 2> as $($lib)*::EventCatalog>::EVENT_TYPES[0].doc,
                "Every role and every way."
            );
        }

        #[::core::prelude::v1::test]
        fn each_variant_is_a_type_of_its_own() {
            ends(&Order::Opened, r#""userIdentity":{"type":"Robot","principalId":"7"}}"#);
            ends(&Order::Shipped(5, "north"), r#""requestParameters":{"to":"north"}}"#);
            let paid = Order::Paid { id: 6, amount: i128::MAX, card: 1, pin: 0 };
            ends(&paid, r#""requestParameters":{"amount":170141183460469231731687303715884105727,"card":"[REDACTED]"}}"#);
            let types = <Order as $($lib)*::EventCatalog>::EVENT_TYPES;
            ::std::assert_eq!(types.len(), 3);
            let of = |at: usize| (types[at].source, types[at].name, types[at].version, types[at].fields.len());
            ::std::assert_eq!(of(0), ("orders.example.com", "Opened", "1.0", 0));
            ::std::assert_eq!(of(1), ("orders.example.com", "OrderShipped", "3", 2));
            ::std::assert_eq!(of(2), ("billing.example.com", "Paid", "1.0", 4));
            for (event, name) in [(Order::Opened, "Opened"), (Order::Shipped(1, "a"), "OrderShipped"), (paid, "Paid")] {
                ::std::assert_eq!($($lib)*::AuditEvent::event_type(&event).name, name);
            }
        }

        #[::core::prelude::v1::test]
        fn small_shapes_work_alone_and_behind_pointers() {
            ends(&Unit, r#""userIdentity":{"type":"Robot","principalId":"7"}}"#);
            let boxed: ::std::boxed::Box<dyn $($lib)*::AuditEvent> = ::std::boxed::Box::new(Newtype("a b"));
            ::std::assert!(json(&boxed).contains(r#""eventName":"Newtype","#));
            ::std::assert!(json(&::std::sync::Arc::new(Newtype(1))).contains(r#""UID":"1""#));
            ends(&Packed { id: 1, small: 2, other: 0 }, r#""requestParameters":{"small":2}}"#);
            ends(&Bound { id: 1.5, text: 2.5 }, r#""requestParameters":{"text":"2.5"}}"#);
            ::std::assert!(<Nothing as $($lib)*::EventCatalog>::EVENT_TYPES.is_empty());
        }

        #[::core::prelude::v1::test]
        fn values_identities_and_errors_hide_what_they_say() {
            let kinds = [Kind::Bare, Kind::With { twice: 4, skipped: 1 }];
            let text = json(&Holds {
                by: Anyone::Staff { email: "alice", phone: 5, secret: 1 },
                inside: Inside { by_name: 6, iban: "DE00", holder: T2, zero: 0, kinds },
                outcome: ::core::result::Result::Err(Failed::Other(7)),
            });
            ::std::assert!(!text.contains("alice") && !text.contains("DE00"));
            for part in [
                r#""principalId":"hmac-sha256:"#,
                r#""details":{"the note":"hmac-sha256:"#,
                r#","secret":"[REDACTED]"}}"#,
                r#""inside":{"by-name":6,"iban":"hmac-sha256:"#,
                r#","the note":"[REDACTED]","kinds":["Bare",{"the note":{"TWICE":8}}]}"#,
                r#""errorCode":"the note","errorMessage":"Other(7)""#,
            ] {
                ::std::assert!(text.contains(part), "{part} in {text}");
            }
            let event_type = &<Holds<'_> as $($lib)*::EventCatalog>::EVENT_TYPES[0];
            ::std::assert_eq!(event_type.doc, "With a value inside.\nBy a macro.");
            ::std::assert!(event_type.fields[1].value.is_some());
            ::std::assert_eq!($($lib)*::AuditError::error_code(&Failed::<u8>::Timeout), "Timeout");
        }

        #[::core::prelude::v1::test]
        fn a_type_inside_a_function_works() {
            const SOURCE: &::core::primitive::str = "inner.example.com";
            #[derive($($lib)*::AuditEvent)]
            #[audit(source = SOURCE $($krate)*)]
            struct Inner<'a> {
                #[audit(id)]
                id: &'a ::core::primitive::str,
            }
            ::std::assert!(json(&Inner { id: "x" }).contains(r#""eventSource":"inner.example.com""#));
        }

        #[::core::prelude::v1::test]
        fn a_constant_entry_is_constant() {
            const STARTED: $($lib)*::StaticEntry = $($lib)*::entry!("started", {
                "version": "1.0", "userIdentity": { "type": "Service", "principalId": "shop" },
                "eventSource": "shop.example.com", "eventName": "Started", "eventTime": "2026-11-21T10:15:30Z",
                "UID": "started", "recipientAccountId": "123456789012",
            });
            let sum = $($lib)*::Checksum::of(STARTED.event_data().as_bytes());
            ::std::assert_eq!(STARTED.checksum(), sum);
            ::std::assert!($($lib)*::Entry::parse("started", STARTED.event_data()).is_ok());
        }
    };
}
