// Reading the HTTP API (/v1/openapi.json).

export async function api(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  }
  const text = query.toString();
  const options = { headers: { Accept: "application/json" }, cache: "no-store" };
  const response = await fetch(text ? `${path}?${text}` : path, options);
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const message = body?.error?.message ?? `The server answered ${response.status}.`;
  throw new Error(message);
}
