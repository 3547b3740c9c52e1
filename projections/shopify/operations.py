"""The GraphQL documents that the connector sends, for Admin API version 2026-07.

One mutation for each document, so that every answer is about one thing, and none of them counts for the limit on what
one document may cost.
"""

VERSION = "2026-07"
PATH = f"/admin/api/{VERSION}/graphql.json"
VARIANTS_PAGE = 250
"""The most that a connection gives at once."""
SHOWN_PAGE = 100
"""Of variants with their stock: each one costs more points then, and one document may cost 1000 at most."""

_IDS = "id sku barcode price selectedOptions { name value } inventoryItem { id }"
_QUANTITIES = 'inventoryLevel(locationId: $locationId) { quantities(names: ["available"]) { name quantity } }'
_PUBLISHED = "publishedOnPublication(publicationId: $publicationId)"
_SHOWN = f"""
      nodes {{
        id sku barcode price inventoryPolicy selectedOptions {{ name value }}
        inventoryItem {{ id tracked {_QUANTITIES} }}
      }}
      pageInfo {{ hasNextPage endCursor }}"""

PRODUCT_SET = f"""
mutation ($identifier: ProductSetIdentifiers, $input: ProductSetInput!, $publicationId: ID!) {{
  productSet(identifier: $identifier, input: $input, synchronous: true) {{
    product {{ id {_PUBLISHED} variants(first: {VARIANTS_PAGE}) {{ nodes {{ {_IDS} }} }} }}
    userErrors {{ code field message }}
  }}
}}"""

PRODUCT_SET_LINE = f"""
mutation call($identifier: ProductSetIdentifiers, $input: ProductSetInput!, $publicationId: ID!) {{
  productSet(identifier: $identifier, input: $input, synchronous: true) {{
    product {{ id {_PUBLISHED} variants(first: 1) {{ nodes {{ {_IDS} }} }} }}
    userErrors {{ code field message }}
  }}
}}"""
"""For a bulk operation: it is run once for each line of variables. It may have one connection, not more.

The one variant is for products that have no other; the others' are looked up with their prices and stock, by one query.
"""

DEFINE = """
mutation ($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) {
    createdDefinition { id }
    userErrors { code field message }
  }
}"""

PUBLISH = """
mutation ($id: ID!, $input: [PublicationInput!]!) {
  publishablePublish(id: $id, input: $input) { userErrors { field message } }
}"""

PRODUCT_DELETE = """
mutation ($input: ProductDeleteInput!) {
  productDelete(input: $input) { deletedProductId userErrors { field message } }
}"""

PRODUCT_FIND = """
query ($identifier: ProductIdentifierInput!) {
  productByIdentifier(identifier: $identifier) { id }
}"""

PRODUCT_READ = f"""
query ($identifier: ProductIdentifierInput!, $locationId: ID!, $publicationId: ID!, $after: String) {{
  productByIdentifier(identifier: $identifier) {{
    id {_PUBLISHED} title descriptionHtml vendor productType status handle
    options {{ name position optionValues {{ name }} }}
    mediaCount {{ count }}
    variants(first: {SHOWN_PAGE}, after: $after) {{{_SHOWN}
    }}
  }}
}}"""

VARIANTS = f"""
query ($id: ID!, $locationId: ID!, $after: String) {{
  product(id: $id) {{
    id variants(first: {SHOWN_PAGE}, after: $after) {{{_SHOWN}
    }}
  }}
}}"""

VARIANTS_UPDATE = f"""
mutation ($productId: ID!, $variants: [ProductVariantsBulkInput!]!, $publicationId: ID!) {{
  productVariantsBulkUpdate(productId: $productId, variants: $variants) {{
    product {{ id status {_PUBLISHED} }}
    productVariants {{ id price }}
    userErrors {{ code field message }}
  }}
}}"""

VARIANTS_DELETE = """
mutation ($productId: ID!, $variantsIds: [ID!]!) {
  productVariantsBulkDelete(productId: $productId, variantsIds: $variantsIds) {
    product { id }
    userErrors { code field message }
  }
}"""

LEVEL = f"""
query ($id: ID!, $locationId: ID!) {{
  inventoryItem(id: $id) {{
    id {_QUANTITIES}
  }}
}}"""

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
