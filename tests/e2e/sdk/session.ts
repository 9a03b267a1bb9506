// A session with openapi-fetch, typed by what openapi-typescript makes of the document.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

declare const process: { env: Record<string, string> };
type Schemas = components["schemas"];
const V2 = "application/x.newstore.orders+json;version=2";
const { SDK_URL, SDK_TENANT, SDK_CLIENT_ID, SDK_CLIENT_SECRET } = process.env as {
  [name in "SDK_URL" | "SDK_TENANT" | "SDK_CLIENT_ID" | "SDK_CLIENT_SECRET"]: string;
};

function check(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}

function present<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  check(answer.data !== undefined, `${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

const api = createClient<paths>({ baseUrl: SDK_URL });

const token = present(
  await api.POST("/auth/realms/{tenant}/protocol/openid-connect/token", {
    params: { path: { tenant: SDK_TENANT } },
    body: {
      grant_type: "client_credentials",
      client_id: SDK_CLIENT_ID,
      client_secret: SDK_CLIENT_SECRET,
    },
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
  }),
);
const headers = { Authorization: `Bearer ${token.access_token}` };

const order: Schemas["CaptureRequest"] = {
  external_id: "ts-1",
  currency: "EUR",
  placed_at: "2026-11-20T10:30:00+01:00",
  customer: { id: "ts", email: "ada@example.com" },
  shipping_address: { country_code: "DE", city: "Berlin" },
  billing_address: { country: "DE", city: "Bonn" },
  items: [{ product_id: "SHOE-42", price: { net: 80, tax: 15.2, gross: 95.2 } }],
};
const captured = present(
  await api.POST("/order-management/orders", {
    params: {
      header: { "Request-Id": "sdk-ts", Tenant: SDK_TENANT, "X-Newstore-Tenant": SDK_TENANT },
    },
    headers,
    body: order,
  }),
);
check(captured.totals.total === 95.2, "total");

const named = { path: { id: "ts-1" }, query: { id_type: "external" as const } };
const detail = present(await api.GET("/v0/orders/{id}", { params: named, headers }));
check(detail.origin_id === captured.origin_id, "detail");
check(detail.shipping_address?.city === "Berlin", "address");

const customer = { query: { customer_id: "ts" } };
const first = present(await api.GET("/v0/orders", { params: customer, headers }));
check(first.orders.length === 0 && !("pagination_info" in first), "history, version 1");
const second = present(
  await api.GET("/v0/orders", { params: customer, headers: { ...headers, Accept: V2 } }),
);
check("pagination_info" in second && second.pagination_info.total === 1, "history, version 2");

const status = async () =>
  present(await api.GET("/v0/orders/{id}/cancel", { params: named, headers }));
check((await status()).cancelable, "cancelable");
const cancelled = await api.POST("/v0/orders/{id}/cancel", {
  params: named,
  headers,
  body: { reason: "Customer remorse" },
});
check(cancelled.response.ok, JSON.stringify(cancelled.error));
check((await status()).canceled, "canceled");

const sequence = present(
  await api.GET("/v0/config/sales_order/sales_order_generator_sequence", { headers }),
);
check(sequence.value?.prefix === "SDK", "configuration");
