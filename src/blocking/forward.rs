//! The methods that only pass on what the async method of the same name does.
//!
//! Owns their form and their documentation, which is a link: what a method does is told in one place. It must not know single
//! methods. A test compares the names and arguments with those of the async client.

/// Options of a builder: the async value inside of `self.inner` goes through the method of the same name.
macro_rules! options {
    ($of:literal: $($(#[$attribute:meta])* fn $name:ident($($argument:ident: $type:ty),*);)*) => {
        $(
            #[doc = concat!("As [`", $of, "::", stringify!($name), "`](crate::", $of, "::", stringify!($name), ").")]
            $(#[$attribute])*
            pub fn $name(mut self, $($argument: $type),*) -> Self {
                self.inner = self.inner.$name($($argument),*);
                self
            }
        )*
    };
}

/// Requests of the client, by the type of their result.
macro_rules! requests {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(
            #[doc = concat!("As [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
            pub fn $name(&self, $($argument: $type),*) -> Request<$result> {
                Request::new(self.connection.client().$name($($argument),*), &self.connection)
            }
        )*
    };
}

/// Lists of the client, by the type of their pages.
macro_rules! lists {
    ($(fn $name:ident() -> $page:ty;)*) => {
        $(
            #[doc = concat!("As [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), "), as an iterator.")]
            pub fn $name(&self) -> Pages<$page> {
                Pages::new(self.connection.client().$name(), &self.connection)
            }
        )*
    };
}

/// Methods that neither wait nor belong to a builder.
macro_rules! plain {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(
            #[doc = concat!("As [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
            pub fn $name(&self, $($argument: $type),*) -> $result {
                self.connection.client().$name($($argument),*)
            }
        )*
    };
}

/// Handlers of what servers ask for, as closures that may block.
macro_rules! handlers {
    ($(fn $name:ident($question:ident: $asked:ty) -> $answer:ty;)*) => {
        $(
            #[doc = concat!("As [`Connect::", stringify!($name), "`](crate::Connect::", stringify!($name), "), by a closure that may block")]
            /// ([how](Self#handlers)).
            pub fn $name<F>(mut self, handler: F) -> Self
            where
                F: Fn($asked, RequestContext) -> std::result::Result<$answer, ErrorObject> + Send + Sync + 'static,
            {
                let handler = Arc::new(handler);
                self.inner = self.inner.$name(move |$question, context| {
                    let handler = handler.clone();
                    beside(move || handler($question, context))
                });
                self
            }
        )*
    };
}

pub(super) use {handlers, lists, options, plain, requests};
