// Elements of the page. What is put into one is always text, so that a song's name stays a name.
export const one = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

export const element = (tag, properties = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name in made && !name.includes("-")) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
};

export const button = (text, onclick, properties = {}) =>
  element("button", { type: "button", onclick, ...properties }, text);

// A row of a list of choices, kept if it is still there.
export const offer = (select, options, chosen) => {
  select.replaceChildren(...options.map(({ value, text }) => element("option", { value, textContent: text })));
  select.value = chosen;
};

// Says something to whoever listens to the page rather than looks at it.
export const say = (text) => {
  one("#said").textContent = text;
};
