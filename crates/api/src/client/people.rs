//! The operator's side of the routes for people and keys.

use reqwest::Method;

use super::ClientError;
use super::admin::{AdminClient, segment};
use crate::access::{CreateKey, KeyView, NewKey};
use crate::people::{Invitation, InviteUser, SessionInfo, UpdateUser, UserView};
use crate::records::Page;

impl AdminClient {
    /// Who this client is, and what it may do.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn session(&self) -> Result<SessionInfo, ClientError> {
        self.get("/auth/session").await
    }

    /// All accounts, oldest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn users(&self) -> Result<Vec<UserView>, ClientError> {
        Ok(self.get::<Page<UserView>>("/admin/users").await?.items)
    }

    /// One account, by its id or address.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn user(&self, user: &str) -> Result<UserView, ClientError> {
        self.get(&path(user, "")).await
    }

    /// Makes an account and invites its person.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn invite(&self, wish: &InviteUser) -> Result<Invitation, ClientError> {
        self.0.json(self.0.request(Method::POST, "/admin/users").json(wish)).await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn update_user(
        &self,
        user: &str,
        change: &UpdateUser,
    ) -> Result<UserView, ClientError> {
        self.0.json(self.0.request(Method::PATCH, &path(user, "")).json(change)).await
    }

    /// Deletes an account.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn delete_user(&self, user: &str) -> Result<(), ClientError> {
        self.0.send(self.0.request(Method::DELETE, &path(user, ""))).await.map(drop)
    }

    /// A link with which the person chooses a password.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reset_user(&self, user: &str) -> Result<Invitation, ClientError> {
        self.0.json(self.0.request(Method::POST, &path(user, "/reset"))).await
    }

    /// Ends all sessions of an account.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn sign_out_user(&self, user: &str) -> Result<(), ClientError> {
        self.0.send(self.0.request(Method::POST, &path(user, "/sign-out"))).await.map(drop)
    }

    /// Has signing in to an account ask for no codes any more.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn remove_user_totp(&self, user: &str) -> Result<(), ClientError> {
        self.0.send(self.0.request(Method::DELETE, &path(user, "/totp"))).await.map(drop)
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn keys(&self) -> Result<Vec<KeyView>, ClientError> {
        Ok(self.get::<Page<KeyView>>("/admin/keys").await?.items)
    }

    /// Makes a key.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn create_key(&self, wish: &CreateKey) -> Result<NewKey, ClientError> {
        self.0.json(self.0.request(Method::POST, "/admin/keys").json(wish)).await
    }

    /// Deletes a key, by its id.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn delete_key(&self, key: &str) -> Result<(), ClientError> {
        let path = format!("/admin/keys/{}", segment(key));
        self.0.send(self.0.request(Method::DELETE, &path)).await.map(drop)
    }
}

fn path(user: &str, rest: &str) -> String {
    format!("/admin/users/{}{rest}", segment(user))
}
