"""The GraphQL documents that the connector sends, for Admin API version 2026-07.

One mutation for each document, so that every answer is about one thing, and none of them counts for the limit on what
one document may cost.
"""

VERSION = "2026-07"
PATH = f"/admin/api/{VERSION}/graphql.json"
VARIANTS_PAGE = 250
"""The most that a connection gives at once."""

_IDS = "id sku barcode selectedOptions { name value } inventoryItem { id }"

PRODUCT_SET = f"""
mutation ($identifier: ProductSetIdentifiers, $input: ProductSetInput!) {{
  productSet(identifier: $identifier, input: $input, synchronous: true) {{
    product {{ id variants(first: {VARIANTS_PAGE}) {{ nodes {{ {_IDS} }} }} }}
    userErrors {{ code field message }}
  }}
}}"""

PRODUCT_SET_LINE = """
mutation call($identifier: ProductSetIdentifiers, $input: ProductSetInput!) {
  productSet(identifier: $identifier, input: $input, synchronous: true) {
    product { id }
    userErrors { code field message }
  }
}"""
"""For a bulk operation: it is run once for each line of variables."""

PRODUCT_DELETE = """
mutation ($input: ProductDeleteInput!) {
  productDelete(input: $input) { deletedProductId userErrors { field message } }
}"""

PRODUCT_FIND = """
query ($identifier: ProductIdentifierInput!) {
  productByIdentifier(identifier: $identifier) { id }
}"""

VARIANTS = f"""
query ($id: ID!, $after: String) {{
  product(id: $id) {{
    id variants(first: {VARIANTS_PAGE}, after: $after) {{
      nodes {{ {_IDS} }} pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""

VARIANTS_UPDATE = """
mutation ($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $productId, variants: $variants) {
    productVariants { id price }
    userErrors { code field message }
  }
}"""

VARIANTS_DELETE = """
mutation ($productId: ID!, $variantsIds: [ID!]!) {
  productVariantsBulkDelete(productId: $productId, variantsIds: $variantsIds) {
    product { id }
    userErrors { code field message }
  }
}"""

LEVEL = """
query ($id: ID!, $locationId: ID!) {
  inventoryItem(id: $id) {
    id inventoryLevel(locationId: $locationId) { quantities(names: ["available"]) { name quantity } }
  }
}"""

SET_QUANTITIES = """
mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id changes { name delta } }
    userErrors { code field message }
  }
}"""

ACTIVATE = """
mutation ($inventoryItemId: ID!, $locationId: ID!, $available: Int, $key: String!) {
  inventoryActivate(inventoryItemId: $inventoryItemId, locationId: $locationId, available: $available)
    @idempotent(key: $key) {
    inventoryLevel { id }
    userErrors { field message }
  }
}"""

STAGE_UPLOAD = """
mutation ($input: [StagedUploadInput!]!) {
  stagedUploadsCreate(input: $input) {
    stagedTargets { url resourceUrl parameters { name value } }
    userErrors { field message }
  }
}"""

BULK_RUN = """
mutation ($mutation: String!, $stagedUploadPath: String!) {
  bulkOperationRunMutation(mutation: $mutation, stagedUploadPath: $stagedUploadPath) {
    bulkOperation { id status }
    userErrors { code field message }
  }
}"""

BULK_STATE = """
query ($id: ID!) {
  node(id: $id) {
    ... on BulkOperation { id status errorCode objectCount url partialDataUrl }
  }
}"""
