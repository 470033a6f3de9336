"""Column names as real exports write them, each with the column of ours that it is; none is taken from the
contracts.

Put spellings here, one list per language or shop system. `STRANGERS` look like a column of ours and are
none: a shipping date is not the day of sale, an order's total not the amount of a line.
"""

from __future__ import annotations

Spellings = dict[str, str]

#: language or shop system -> our name -> spellings, parted by |
LABELLED: dict[str, Spellings] = {
    "English": {
        "date": "Date|Order Date|Sale Date|Date of Sale|Transaction Date|Invoice Date|Purchase Date|"
        "SALE_DATE|orderDate|Sold On|Business Date",
        "order_id": "Order ID|Order Number|Order No|Order #|Invoice Number|Invoice No.|Receipt No|"
        "Receipt Number|Transaction ID|Ticket Number|order_no|Sales Order Number|Bill No",
        "line_number": "Line Number|Line No|Line|Order Line|Line Item Number|Item No. in Order",
        "product_name": "Product|Product Name|Item|Item Name|Description|Product Title|Product Description|"
        "Item Description|Article",
        "product_id": "SKU|Product ID|Product Code|Item Code|Item Number|Item ID|Stock Code|Barcode|UPC|"
        "EAN|Article Number|Part Number",
        "category": "Category|Product Category|Department|Product Group|Item Category|Product Type",
        "quantity": "Quantity|Qty|Qty.|Units|Units Sold|Quantity Sold|Qty Sold|No. of Units|Pieces|"
        "Quantity Ordered",
        "unit_price": "Unit Price|Price|Price per Unit|Item Price|Price Each|Selling Price|Sale Price|"
        "Unit Price (GBP)|Price/Unit",
        "amount": "Amount|Line Total|Line Amount|Sales|Sales Amount|Revenue|Extended Price|Line Value|"
        "Amount (USD)|Amount GBP|Sale Amount|Item Total",
        "discount": "Discount Amount|Line Discount Amount|Discount Value|Discount (USD)",
        "tax": "Tax|Tax Amount|VAT Amount|Sales Tax|VAT|GST Amount",
        "unit_cost": "Unit Cost|Cost Price|Cost per Unit|Cost per Item",
        "currency": "Currency|Currency Code",
        "order_status": "Status|Order Status|Order State|Financial Status",
        "customer_id": "Customer ID|Customer No|Customer Number|Customer Code|Client ID|Account Number|"
        "Member ID|Buyer ID",
        "customer_name": "Customer|Customer Name|Client|Client Name|Buyer Name|Bill-to Name",
        "customer_email": "Email|Customer Email|E-Mail Address|Buyer Email|Email Address",
        "store": "Store|Store Name|Shop|Branch|Outlet|Outlet Name|Store ID|Shop Name",
        "region": "Region|Sales Region",
        "country": "Country|Customer Country|Country Code",
        "sales_rep": "Sales Rep|Salesperson|Sales Person|Cashier|Sales Representative|Sold By|Employee",
        "channel": "Channel|Sales Channel|Order Channel|Order Source",
    },
    "German": {
        "date": "Datum|Bestelldatum|Verkaufsdatum|Rechnungsdatum|Belegdatum|Buchungsdatum|Auftragsdatum|"
        "Kaufdatum",
        "order_id": "Bestellnummer|Bestell-Nr.|Auftragsnummer|Belegnummer|Beleg-Nr|Bonnummer|Bon-Nr.|"
        "Rechnungsnummer|Rechnungs-Nr.|Belegnr|Auftragsnr.",
        "line_number": "Position|Pos.|Positionsnummer|Zeile",
        "product_name": "Artikel|Produkt|Artikelbezeichnung|Bezeichnung|Artikelname|Produktname|"
        "Beschreibung|Artikelbeschreibung",
        "product_id": "Artikelnummer|Artikel-Nr.|Art.-Nr.|ArtNr|Artikelnr|Produktnummer|EAN-Code",
        "category": "Kategorie|Warengruppe|Produktkategorie|Artikelgruppe",
        "quantity": "Menge|Anzahl|Stück|Stückzahl|Verkaufte Menge",
        "unit_price": "Einzelpreis|Preis|Stückpreis|E-Preis|Preis pro Stück|VK-Preis|Verkaufspreis",
        "amount": "Betrag|Umsatz|Gesamtpreis|Positionsbetrag|Zeilensumme|Betrag (EUR)|Betrag in EUR",
        "discount": "Rabattbetrag|Nachlassbetrag",
        "tax": "MwSt-Betrag|Steuerbetrag|USt-Betrag|Mehrwertsteuerbetrag",
        "unit_cost": "Einkaufspreis|EK-Preis",
        "currency": "Währung",
        "order_status": "Bestellstatus|Auftragsstatus",
        "customer_id": "Kundennummer|Kunden-Nr.|Kundennr|KdNr|Kunden-ID",
        "customer_name": "Kunde|Kundenname",
        "customer_email": "E-Mail-Adresse|Kunden-E-Mail",
        "store": "Filiale|Geschäft|Laden|Filialname",
        "country": "Land",
        "sales_rep": "Verkäufer|Bediener|Kassierer|Mitarbeiter",
        "channel": "Vertriebskanal|Verkaufskanal|Kanal",
    },
    "French": {
        "date": "Date de vente|Date de commande|Date de facture|Date commande|Date d'achat|Date vente",
        "order_id": "Numéro de commande|N° de commande|N° commande|Numéro de facture|N° facture|"
        "N° de ticket|Commande",
        "product_name": "Produit|Article|Désignation|Libellé|Nom du produit|Libellé article",
        "product_id": "Référence|Réf.|Code article|Référence produit|Code produit|Code-barres",
        "category": "Catégorie|Famille|Rayon",
        "quantity": "Quantité|Qté|Quantité vendue|Nombre",
        "unit_price": "Prix unitaire|P.U.|Prix|Prix de vente|PU HT|Prix unitaire HT",
        "amount": "Montant|Montant HT|Chiffre d'affaires|CA|Total ligne|Montant ligne",
        "discount": "Montant remise|Montant de la remise",
        "tax": "Montant TVA|TVA",
        "unit_cost": "Prix d'achat|Coût unitaire",
        "currency": "Devise",
        "order_status": "Statut|Statut de la commande",
        "customer_id": "Code client|Numéro client|N° client",
        "customer_name": "Client|Nom du client|Nom client",
        "store": "Magasin|Boutique|Point de vente",
        "region": "Région",
        "country": "Pays",
        "sales_rep": "Vendeur|Commercial",
        "channel": "Canal de vente|Canal",
    },
    "Spanish": {
        "date": "Fecha|Fecha de venta|Fecha de pedido|Fecha de factura|Fecha pedido|Fecha venta",
        "order_id": "Número de pedido|Nº pedido|N.º de pedido|Pedido|Número de factura|Nº factura|"
        "Nº de ticket|Núm. pedido",
        "product_name": "Producto|Artículo|Descripción|Nombre del producto|Concepto",
        "product_id": "Referencia|Código|Código de artículo|Código de producto|Ref.|Código de barras",
        "category": "Categoría|Familia",
        "quantity": "Cantidad|Unidades|Cant.|Uds.|Unidades vendidas",
        "unit_price": "Precio unitario|Precio|Precio de venta|Precio unidad|P. unitario",
        "amount": "Importe|Importe línea|Ventas|Monto|Total línea|Importe (EUR)",
        "discount": "Importe descuento|Importe de descuento",
        "tax": "Importe IVA|IVA",
        "currency": "Moneda|Divisa",
        "order_status": "Estado del pedido",
        "customer_id": "Código de cliente|Nº cliente|Número de cliente|ID cliente",
        "customer_name": "Cliente|Nombre del cliente|Nombre cliente",
        "customer_email": "Correo electrónico|Correo",
        "store": "Tienda|Sucursal",
        "region": "Región",
        "country": "País",
        "sales_rep": "Vendedor|Cajero",
        "channel": "Canal de venta",
    },
    "Italian": {
        "date": "Data|Data vendita|Data ordine|Data fattura|Data di vendita|Data documento",
        "order_id": "Numero ordine|N. ordine|Ordine|Numero fattura|Numero scontrino|Nr. ordine",
        "product_name": "Prodotto|Articolo|Descrizione|Nome prodotto",
        "product_id": "Codice articolo|Codice prodotto|Codice|Cod. articolo",
        "category": "Categoria|Reparto",
        "quantity": "Quantità|Q.tà|Qta|Pezzi|Quantità venduta",
        "unit_price": "Prezzo unitario|Prezzo|Prezzo di vendita",
        "amount": "Importo|Importo riga|Totale riga|Fatturato",
        "currency": "Valuta",
        "customer_id": "Codice cliente|ID cliente",
        "customer_name": "Cliente|Nome cliente",
        "store": "Negozio|Punto vendita",
        "country": "Paese",
        "sales_rep": "Venditore|Commesso",
    },
    "Dutch": {
        "date": "Datum|Besteldatum|Verkoopdatum|Factuurdatum|Orderdatum",
        "order_id": "Bestelnummer|Ordernummer|Factuurnummer|Bonnummer|Order nr.",
        "product_name": "Product|Productnaam|Artikel|Omschrijving|Artikelnaam|Artikelomschrijving",
        "product_id": "Artikelnummer|Artikelcode|Productcode",
        "category": "Categorie|Productgroep|Artikelgroep",
        "quantity": "Aantal|Hoeveelheid|Aantal verkocht",
        "unit_price": "Stukprijs|Prijs|Verkoopprijs|Prijs per stuk|Eenheidsprijs",
        "amount": "Bedrag|Omzet|Regeltotaal|Regelbedrag",
        "customer_id": "Klantnummer|Klant-ID",
        "customer_name": "Klant|Klantnaam",
        "store": "Winkel|Filiaal",
        "country": "Land",
        "sales_rep": "Verkoper|Medewerker",
    },
    "Polish": {
        "date": "Data sprzedaży|Data zamówienia|Data faktury|Data",
        "order_id": "Numer zamówienia|Nr zamówienia|Numer faktury|Nr paragonu",
        "product_name": "Produkt|Nazwa produktu|Nazwa towaru|Towar",
        "product_id": "Kod produktu|Kod towaru|Indeks",
        "category": "Kategoria",
        "quantity": "Ilość|Liczba sztuk",
        "unit_price": "Cena jednostkowa|Cena|Cena sprzedaży",
        "amount": "Kwota|Wartość|Wartość sprzedaży",
        "currency": "Waluta",
        "customer_name": "Klient|Nazwa klienta",
        "store": "Sklep",
        "country": "Kraj",
    },
    "Portuguese": {
        "date": "Data da venda|Data do pedido|Data da encomenda|Data venda",
        "order_id": "Número do pedido|Nº do pedido|Número da encomenda|Pedido",
        "product_name": "Produto|Nome do produto|Artigo|Descrição",
        "product_id": "Código do produto|Código do artigo",
        "category": "Categoria",
        "quantity": "Quantidade|Qtd|Qtde",
        "unit_price": "Preço unitário|Preço|Valor unitário|Preço de venda",
        "amount": "Valor|Montante|Total da linha|Faturamento",
        "currency": "Moeda",
        "customer_name": "Cliente|Nome do cliente",
        "store": "Loja",
        "country": "País",
        "sales_rep": "Vendedor",
    },
    "Swedish, Danish, Norwegian": {
        "date": "Orderdatum|Försäljningsdatum|Ordredato|Salgsdato|Dato",
        "order_id": "Ordernummer|Ordrenummer|Kvittonummer|Fakturanummer|Bestillingsnummer",
        "product_name": "Produkt|Artikel|Produktnamn|Benämning|Vare|Varenavn|Produktnavn|Beskrivelse",
        "product_id": "Artikelnummer|Varenummer|Produktnummer",
        "category": "Kategori|Varugrupp",
        "quantity": "Antal|Antall|Mängd",
        "unit_price": "Styckpris|Pris|Enhetspris|Stykpris|À-pris",
        "amount": "Belopp|Omsättning|Beløb|Beløp|Radsumma|Omsetning",
        "customer_id": "Kundnummer|Kundenummer",
        "customer_name": "Kund|Kundnamn|Kunde|Kundenavn",
        "store": "Butik|Butikk",
        "country": "Land",
        "sales_rep": "Säljare|Sælger|Selger",
    },
    "Shopify": {
        "date": "Created at|Processed at",
        "product_name": "Lineitem name|Product title",
        "product_id": "Lineitem sku|Variant SKU",
        "quantity": "Lineitem quantity|Net quantity",
        "unit_price": "Lineitem price",
        "order_status": "Financial Status",
    },
    "WooCommerce": {
        "order_id": "Order Number",
        "date": "Order Date",
        "order_status": "Order Status",
        "product_name": "Item Name",
        "unit_price": "Item Cost",
        "customer_email": "Email (Billing)|Billing Email",
        "country": "Country Code (Billing)|Billing Country",
        "amount": "Order Line Total",
    },
    "Square": {
        "date": "Date",
        "product_name": "Item",
        "quantity": "Qty",
        "order_id": "Transaction ID",
        "customer_id": "Customer ID",
        "customer_name": "Customer Name",
        "channel": "Channel",
    },
    "Lightspeed, Vend": {
        "order_id": "Receipt number|Sale ID",
        "product_name": "Product",
        "store": "Outlet",
        "sales_rep": "User",
    },
    "Amazon, eBay, Etsy": {
        "date": "purchase-date|Sale Date",
        "order_id": "amazon-order-id|order-id|Sales Record Number",
        "line_number": "order-item-id",
        "product_name": "product-name|Item Title",
        "product_id": "sku|asin|Custom Label",
        "quantity": "quantity-purchased",
        "amount": "item-price",
        "customer_name": "buyer-name",
        "customer_email": "buyer-email",
        "channel": "sales-channel",
    },
}

_STRANGERS = (
    "Shipping Date|Ship Date|Shipped At|Delivery Date|Due Date|Payment Due Date|Birth Date|Date of Birth|"
    "Expiry Date|Best Before Date|Last Updated|Updated at|Modified Date|Cancelled at|Refund Date|Paid at|"
    "Fulfilled at|Expected Delivery|Hire Date|Registration Date|Print Date|Export Date|Date Shipped|"
    "Discount Code|Discount Name|Discount Reason|Coupon Code|Voucher Code|Gift Card Number|"
    "Customer Phone|Phone|Mobile|Customer Address|Shipping Address|Billing Address|Street|Postcode|"
    "Zip Code|Customer Since|Customer Age|Customer Gender|Customer Group|Customer Notes|Customer Segment|"
    "Tax Rate|Tax %|VAT Rate|VAT Number|Tax ID|VAT %|Tax Code|Tax Class|"
    "Order Total|Order Subtotal|Order Amount|Grand Total|Invoice Total|Total Orders|Order Discount|"
    "Order Notes|Order Count|Order Weight|Order Currency Rate|Order Tax Total|Purchase Order Number|"
    "Shipping|Shipping Cost|Shipping Amount|Shipping Price|Shipping Method|Shipping Country|Shipping City|"
    "Shipping Region|Ship To Country|Delivery Fee|Tracking Number|Carrier|Payment Method|Payment Type|"
    "Payment Status|Payment ID|Card Number|Amount Paid|Amount Due|Amount Refunded|Refunded Amount|"
    "Outstanding Balance|Tip|Tip Amount|Service Charge|Cash Tendered|Change Given|"
    "Quantity in Stock|Stock Quantity|On Hand|Quantity Refunded|Quantity Returned|Quantity Cancelled|"
    "Min Quantity|Reorder Level|Product Weight|Product Rating|Product Image|Product URL|Product Tax Class|"
    "Item Weight|Item Size|Item Colour|Item Count|Price Level|Price List|Price Group|List Price Valid From|"
    "Compare At Price|Competitor Price|Old Price|Profit|Margin|Gross Margin|Markup|Commission|"
    "Store Opening Date|Store Manager|Store Phone|Store Size|Region Manager|Country of Origin|"
    "Country of Manufacture|Sales Target|Sales Tax Rate|Sales Quota|Sales Rep Email|Sales Rep Commission|"
    "Employee ID Number|Cashier Drawer|Channel Fee|Currency Rate|Exchange Rate|Status Date|Status Code|"
    "Lieferdatum|Versanddatum|Geburtsdatum|Fälligkeitsdatum|Zahlungsdatum|Rabattcode|Gutscheincode|"
    "Steuersatz|MwSt-Satz|Versandkosten|Lieferadresse|Telefon|Telefonnummer|Zahlungsart|Rechnungsbetrag|"
    "Gesamtsumme|Lagerbestand|Trinkgeld|Lieferland|Umsatzsteuer-ID|Mindestmenge|Bestellwert|"
    "Date de livraison|Date d'expédition|Date de naissance|Date d'échéance|Code promo|Taux de TVA|"
    "Taux TVA|Frais de port|Mode de paiement|Téléphone|Adresse de livraison|Quantité en stock|"
    "Pays de livraison|Total commande|Code postal|Remise %|"
    "Fecha de envío|Fecha de entrega|Fecha de nacimiento|Fecha de vencimiento|Código de descuento|"
    "Código postal|Tipo de IVA|Gastos de envío|Teléfono|Forma de pago|Total del pedido|País de envío|"
    "Data di consegna|Data di nascita|Data spedizione|Codice sconto|Aliquota IVA|Codice fiscale|"
    "Totale ordine|Spese di spedizione|Leverdatum|Verzenddatum|Geboortedatum|Kortingscode|Btw-percentage|"
    "Verzendkosten|Voorraad|Orderbedrag|Telefoonnummer|Data dostawy|Data urodzenia|Kod rabatowy|"
    "Stawka VAT|Data de entrega|Data de nascimento|Código postal de entrega|Leveransdatum|Födelsedatum|"
    "Rabattkod|Leveringsdato|Fødselsdato|Momssats|Lineitem fulfillment status|Lineitem compare at price|"
    "Lineitem requires shipping|Lineitem taxable|Order Refund Amount|Cart Discount Amount|"
    "Order Shipping Amount|Modifiers Applied|Details|Device Name|PAN Suffix|ship-service-level|"
    "ship-country|recipient-name|promise-date|payments-date|item-tax-rate"
)
#: They must stay without a meaning.
STRANGERS = _STRANGERS.split("|")


def labelled() -> list[tuple[str, str, str]]:
    """(language or shop system, spelling, our name) for each."""
    return [
        (where, spelling, ours)
        for where, columns in LABELLED.items()
        for ours, spellings in columns.items()
        for spelling in spellings.split("|")
    ]
