// The HTTP API (/v1/openapi.json).

export async function api(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") query.set(name, value);
  }
  const text = query.toString();
  const options = { headers: { Accept: "application/json" }, cache: "no-store" };
  return answer(await fetch(text ? `${path}?${text}` : path, options));
}

export async function post(path, body) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return answer(await fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

async function answer(response) {
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const message = body?.error?.message ?? `The server answered ${response.status}.`;
  throw Object.assign(new Error(message), { code: body?.error?.code });
}
