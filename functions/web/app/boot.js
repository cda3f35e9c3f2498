// @ts-check
// Loads the page again if one of its files could not be fetched. A browser that changes networks meanwhile gives all of
// them up, and would show an empty page for ever. It is not a module, because it has to be there before they are.

{
  const KEY = "windi.loads";
  let failed = false;

  addEventListener(
    "error",
    ({ target }) => {
      const isStyle = target instanceof HTMLLinkElement && target.rel === "stylesheet";
      // What is only preloaded is fetched again when it is needed, or else its importer fails.
      if (failed || !(isStyle || target instanceof HTMLScriptElement)) return;
      failed = true;
      let tries = 0;
      try {
        tries = Number(sessionStorage.getItem(KEY));
        sessionStorage.setItem(KEY, String(tries + 1));
      } catch {
        // Without storage, every attempt is the first.
      }
      setTimeout(() => location.reload(), Math.min(500 * 2 ** tries, 30_000));
    },
    true,
  );
  addEventListener("load", () => {
    try {
      if (!failed) sessionStorage.removeItem(KEY);
    } catch {
      // There is none.
    }
  });
}
