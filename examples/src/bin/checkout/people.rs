//! Who may call, and how the shop knows them. These are the actors of its events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use audit_client::UserIdentity;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::events::SignInError;
use crate::shop::{Refused, Shop};

#[derive(Clone, UserIdentity)]
#[audit(type = "Customer")]
pub(crate) struct Customer {
    #[audit(principal_id)]
    pub(crate) email: String,
}

#[derive(Clone, UserIdentity)]
#[audit(type = "Staff")]
pub(crate) struct Staff {
    #[audit(principal_id)]
    email: String,
    department: &'static str,
}

/// Calls the webhook.
#[derive(UserIdentity)]
#[audit(type = "PaymentProvider")]
pub(crate) struct PaymentProvider {
    #[audit(principal_id)]
    name: &'static str,
}

#[derive(Clone)]
pub(crate) enum Person {
    Customer(Customer),
    Staff(Staff),
}

impl Person {
    pub(crate) fn identity(&self) -> &dyn UserIdentity {
        match self {
            Self::Customer(customer) => customer,
            Self::Staff(staff) => staff,
        }
    }
}

/// Who is signed in, by the token that they were given.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<String, Person>>>);

impl Sessions {
    /// A real shop keeps hashes of passwords, and slows down who guesses.
    pub(crate) fn person(email: &str, password: &str) -> Result<Person, SignInError> {
        let email = email.to_owned();
        match (email.as_str(), password) {
            ("alice@example.com", "teapot") => Ok(Person::Customer(Customer { email })),
            ("bob@example.com", "kettle") => Ok(Person::Staff(Staff { email, department: "support" })),
            _ => Err(SignInError::WrongPassword),
        }
    }

    pub(crate) fn begin(&self, person: Person) -> String {
        let mut random = [0; 16];
        getrandom::fill(&mut random).expect("the system's random numbers");
        let token = format!("{:032x}", u128::from_ne_bytes(random));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), person);
        token
    }

    fn caller(&self, parts: &Parts) -> Result<Person, Refused> {
        let token = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        token.and_then(|token| sessions.get(token).cloned()).ok_or(Refused::NotSignedIn)
    }
}

impl FromRequestParts<Shop> for Customer {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Refused> {
        match shop.sessions.caller(parts)? {
            Person::Customer(customer) => Ok(customer),
            Person::Staff(_) => Err(Refused::NotAllowed),
        }
    }
}

impl FromRequestParts<Shop> for Staff {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, shop: &Shop) -> Result<Self, Refused> {
        match shop.sessions.caller(parts)? {
            Person::Staff(staff) => Ok(staff),
            Person::Customer(_) => Err(Refused::NotAllowed),
        }
    }
}

impl FromRequestParts<Shop> for PaymentProvider {
    type Rejection = Refused;

    /// A real provider signs the body.
    async fn from_request_parts(parts: &mut Parts, _: &Shop) -> Result<Self, Refused> {
        match parts.headers.get("x-webhook-key") {
            Some(key) if key == "an example's key" => Ok(Self { name: "payments.example.com" }),
            _ => Err(Refused::NotSignedIn),
        }
    }
}
