"""The example every test of the project file starts from."""

EXAMPLE = """\
version: 1
model: {name: Giftware wholesale, currency: GBP, time_zone: Europe/London}
connections:
  shop: {type: postgresql, host: 127.0.0.1, port: 5432, database: shop, username: reader, password: {env: SHOP_PASSWORD}}
jobs:
  order lines:
    connection: shop
    table: public.order_lines
    load: {transactional: {cursor: ordered_at, key: [order_id, line_no], backfill: all}}
    schedule: {hourly: 15}
  products: {connection: shop, table: public.products, load: catalog, schedule: {daily: "02:00"}}
datasets:
  purchases:
    base: bq_order_lines
    joins: [{table: bq_products, on: {product_id: product_id}, kind: left}]
    roles: {customer: customer_id, product: product_id, time: ordered_at, revenue: line_total, quantity: quantity}
    filters: {history_days: 365, top_revenue_share: 0.8, min_orders_per_customer: 2}
pipeline: {dataset: purchases, algorithms: auto, split: {test_days: 30}, deploy: when_better}
"""  # noqa: E501
