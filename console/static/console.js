// Parts of a page that refresh themselves are asked for every few seconds, as long as somebody can see them.
"use strict";

const SECONDS = 5;

setInterval(() => {
  if (document.visibilityState === "visible") {
    document.querySelectorAll("[data-live]").forEach((part) => htmx.trigger(part, "refresh"));
  }
}, SECONDS * 1000);
